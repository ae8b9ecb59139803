import { type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Exam, Problem } from "../../../protocol/api.ts";
import { Ended } from "./Ended.tsx";
import { type Tool, useGestures } from "./gestures.ts";
import { useKeys } from "./keys.ts";
import { RoomView } from "./RoomView.tsx";
import { Reader } from "./reader.ts";
import "./reading-room.css";

export interface ReadingRoomProps {
  exam: Exam;
  /** Absolute URL of the DICOMweb root, without a trailing slash. */
  dicomwebRoot: string;
  /** Asked for at each request, so that a token renewed in the middle of a read is used. */
  getToken: () => Promise<string>;
  /** Why access ended; from then on nothing of the exam is shown. */
  ended: Problem | null;
  onClose: () => void;
}

/** Reads one exam, until access ends or it is closed. Always dark, for the eyes. */
export default function ReadingRoom(props: ReadingRoomProps): ReactNode {
  const { exam, ended, onClose } = props;
  if (ended) return <Ended problem={ended} onClose={onClose} />;
  return <Room key={exam.examId} {...props} />;
}

function Room({ exam, dicomwebRoot, getToken, onClose }: ReadingRoomProps): ReactNode {
  const [stage, setStage] = useState<HTMLDivElement | null>(null);
  const [reader, setReader] = useState<Reader | null>(null);
  const [visit, setVisit] = useState(0);
  const [tool, setTool] = useState<Tool>(() =>
    matchMedia("(pointer: coarse)").matches ? "scroll" : "window",
  );
  const tokenSource = useRef(getToken);
  tokenSource.current = getToken;
  const token = useCallback(() => tokenSource.current(), []);

  // A layout effect, so that the canvas is cleared before React takes it out of the page.
  useLayoutEffect(() => {
    if (!stage) return;
    const opened = new Reader(exam.studyInstanceUid, dicomwebRoot, token);
    setReader(opened);
    void opened.open(stage);
    return () => opened.close();
  }, [stage, exam.studyInstanceUid, dicomwebRoot, token, visit]);

  useEffect(() => {
    // A page that the browser keeps for "back" must not come back with a picture on it.
    const leave = () => reader?.close();
    const comeBack = (event: PageTransitionEvent) => event.persisted && setVisit((count) => count + 1);
    window.addEventListener("pagehide", leave);
    window.addEventListener("pageshow", comeBack);
    return () => {
      window.removeEventListener("pagehide", leave);
      window.removeEventListener("pageshow", comeBack);
    };
  }, [reader]);

  useGestures(stage, reader, tool);
  useKeys(reader);

  return (
    <RoomView
      exam={exam}
      reader={reader}
      stageRef={setStage}
      tool={tool}
      onTool={setTool}
      onClose={onClose}
    />
  );
}

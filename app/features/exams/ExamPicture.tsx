import { useQuery } from "@tanstack/react-query";
import { ImageOff, ScanLine } from "lucide-react";
import { useEffect, useState } from "react";
import { ask, belongsTo, GatewayError, ownProblem } from "../../api/index.ts";
import { examTitle } from "../../words/index.ts";
import { answerKey, useWithToken } from "../gateways/index.ts";
import type { ExamAt } from "./data.ts";
import s from "./ExamPicture.module.css";

/** A picture of the exam, fetched with the token that permits it; never kept longer than it is shown. */
export function ExamPicture({ exam, gateway, session }: ExamAt) {
  const withToken = useWithToken();
  const { picture } = exam;
  const query = useQuery({
    queryKey: [...answerKey(session, "picture"), exam.examId, picture],
    queryFn: ({ signal }) => {
      if (picture === null || !belongsTo(gateway, picture)) {
        throw new GatewayError(ownProblem("answer-not-understood"));
      }
      return withToken(gateway.base, async (token) => (await ask(picture, { token, signal })).blob());
    },
    enabled: picture !== null,
    staleTime: 60_000,
    gcTime: 0,
    retry: 1,
    refetchOnWindowFocus: false,
  });
  const url = useObjectUrl(query.data);

  return (
    <div className={s.frame}>
      {url ? (
        <img className={s.picture} src={url} alt={examTitle(exam)} />
      ) : (
        <Placeholder state={picture === null ? "none" : query.isError ? "failed" : "loading"} />
      )}
    </div>
  );
}

function Placeholder({ state }: { state: "none" | "failed" | "loading" }) {
  if (state === "loading")
    return <ScanLine className={s.waiting} role="img" aria-label="Loading the picture" />;
  return (
    <span className={s.placeholder}>
      <ImageOff aria-hidden="true" />
      {state === "none" ? "No picture" : "The picture cannot be shown"}
    </span>
  );
}

/** A URL for a blob, taken back as soon as the blob is replaced or leaves the screen. */
function useObjectUrl(blob: Blob | undefined): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!blob) return;
    const created = URL.createObjectURL(blob);
    setUrl(created);
    return () => {
      setUrl(null);
      URL.revokeObjectURL(created);
    };
  }, [blob]);
  return url;
}

import {
  Contrast,
  FlipHorizontal2,
  FlipVertical2,
  GalleryVertical,
  Keyboard,
  type LucideIcon,
  Move,
  Pause,
  Play,
  RotateCcw,
  RotateCw,
  SunMedium,
  Undo2,
  ZoomIn,
} from "lucide-react";
import { type MouseEvent, type ReactNode, useState } from "react";
import type { Tool } from "./gestures.ts";
import { KEYS } from "./keys.ts";
import type { Reader } from "./reader.ts";
import type { Reading } from "./reading.ts";
import { CT_PRESETS } from "./windowing.ts";

interface ToolbarProps {
  reading: Reading;
  reader: Reader;
  tool: Tool;
  onTool: (tool: Tool) => void;
}

const TOOLS: readonly { tool: Tool; name: string; icon: LucideIcon }[] = [
  { tool: "window", name: "Window", icon: SunMedium },
  { tool: "scroll", name: "Scroll", icon: GalleryVertical },
  { tool: "zoom", name: "Zoom", icon: ZoomIn },
  { tool: "pan", name: "Pan", icon: Move },
];

/** What can be done with the picture. */
export function Toolbar({ reading, reader, tool, onTool }: ToolbarProps): ReactNode {
  const { look, playing, series, seriesIndex } = reading;
  const [keysShown, setKeysShown] = useState(false);
  const entry = series[seriesIndex];
  return (
    <div className="rr-toolbar" role="toolbar" aria-label="Image tools">
      <fieldset className="rr-group" aria-label="Dragging does">
        {TOOLS.map((choice) => (
          <Button
            key={choice.tool}
            name={choice.name}
            icon={choice.icon}
            pressed={tool === choice.tool}
            onClick={() => onTool(choice.tool)}
          />
        ))}
      </fieldset>
      {entry?.modality === "CT" && <Presets reading={reading} reader={reader} />}
      <div className="rr-group">
        <Button
          name="Invert"
          icon={Contrast}
          pressed={look.invert}
          onClick={() => reader.restyle({ invert: !look.invert })}
        />
        <Button
          name="Flip across"
          icon={FlipHorizontal2}
          pressed={look.flipHorizontal}
          onClick={() => reader.restyle({ flipHorizontal: !look.flipHorizontal })}
        />
        <Button
          name="Flip up and down"
          icon={FlipVertical2}
          pressed={look.flipVertical}
          onClick={() => reader.restyle({ flipVertical: !look.flipVertical })}
        />
        <Button
          name="Turn left"
          icon={RotateCcw}
          onClick={() => reader.restyle({ rotation: (look.rotation + 270) % 360 })}
        />
        <Button
          name="Turn right"
          icon={RotateCw}
          onClick={() => reader.restyle({ rotation: (look.rotation + 90) % 360 })}
        />
      </div>
      <div className="rr-group">
        <Button
          name="1:1, actual size"
          text="1:1"
          pressed={look.actualSize}
          onClick={() => reader.restyle({ actualSize: !look.actualSize, zoom: 1, pan: [0, 0] })}
        />
        <Button name="Reset" icon={Undo2} onClick={() => reader.reset()} />
        {(entry?.slices.length ?? 0) > 1 && (
          <Button
            name={playing ? "Stop" : "Play"}
            icon={playing ? Pause : Play}
            onClick={() => reader.toggleCine()}
          />
        )}
      </div>
      <div className="rr-group rr-keys-group">
        <Button name="Keys" icon={Keyboard} pressed={keysShown} onClick={() => setKeysShown(!keysShown)} />
        {keysShown && <KeyList />}
      </div>
    </div>
  );
}

function Presets({ reading, reader }: { reading: Reading; reader: Reader }): ReactNode {
  const { window } = reading.look;
  const chosen = CT_PRESETS.find(({ center, width }) => window?.center === center && window.width === width);
  return (
    <label className="rr-group rr-presets">
      <span className="rr-spoken">Window preset</span>
      <select
        aria-label="Window preset"
        value={chosen?.key ?? (window ? "own" : "first")}
        onChange={(event) => {
          const preset = CT_PRESETS.find(({ key }) => key === event.target.value);
          reader.restyle({ window: preset ? { center: preset.center, width: preset.width } : null });
          event.target.blur();
        }}
      >
        <option value="first">Window of the image</option>
        {window && !chosen && <option value="own">My window</option>}
        {CT_PRESETS.map(({ key, name }) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

interface ButtonProps {
  name: string;
  icon?: LucideIcon;
  text?: string;
  pressed?: boolean;
  onClick: () => void;
}

function Button({ name, icon: Icon, text, pressed, onClick }: ButtonProps): ReactNode {
  return (
    <button
      type="button"
      className="rr-tool"
      title={name}
      aria-label={name}
      aria-pressed={pressed}
      onClick={(event) => {
        onClick();
        giveFocusBack(event);
      }}
    >
      {Icon ? (
        <Icon aria-hidden="true" size={19} strokeWidth={1.75} />
      ) : (
        <span aria-hidden="true">{text}</span>
      )}
    </button>
  );
}

function KeyList(): ReactNode {
  return (
    <dl className="rr-keys">
      {KEYS.map(([keys, action]) => (
        <div key={keys}>
          <dt>{keys}</dt>
          <dd>{action}</dd>
        </div>
      ))}
    </dl>
  );
}

/**
 * After a click the focus goes to the picture, where the space bar means reset. Only after a pointer: whoever
 * moves by keyboard keeps their place in the toolbar.
 */
function giveFocusBack(event: MouseEvent<HTMLElement>): void {
  if (event.detail === 0) return;
  const room = event.currentTarget.closest(".reading-room");
  room?.querySelector<HTMLElement>(".rr-stage")?.focus({ preventScroll: true });
}

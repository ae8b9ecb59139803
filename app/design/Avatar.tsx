import s from "./Avatar.module.css";

/** Titles say little about who somebody is: "Dr. Ada Grant" is AG. */
const TITLES = /^(dr|prof|mr|mrs|ms|mx|med)\.?$/i;

/** Up to two initials of a name. */
function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter((word) => /^\p{L}/u.test(word) && !TITLES.test(word));
  const picked = words.length > 1 ? [words[0], words.at(-1)] : words;
  return picked.map((word) => word?.[0]?.toLocaleUpperCase() ?? "").join("");
}

/** A person's initials on a colour that stays with their address. Decoration: the name stands beside it. */
export function Avatar({ name, address, size = 36 }: { name: string; address: string; size?: number }) {
  const hue = Number.parseInt(address.slice(2, 8), 16) % 360;
  return (
    <span
      className={s.avatar}
      aria-hidden="true"
      style={{ "--hue": hue, "--size": `${size}px` } as React.CSSProperties}
    >
      {initialsOf(name) || "?"}
    </span>
  );
}

/** A scan behind a keyhole: the exam is there, and the patient holds the key. Decoration. */
export function KeyPicture({ className }: { className?: string }) {
  return (
    <svg className={className} viewBox="0 0 420 360" aria-hidden="true">
      <defs>
        <radialGradient id="tissue" cx="50%" cy="45%" r="60%">
          <stop offset="0%" stopColor="#d8e6e6" />
          <stop offset="55%" stopColor="#7f979c" />
          <stop offset="100%" stopColor="#2a3a42" />
        </radialGradient>
        <mask id="keyhole">
          <rect width="420" height="360" fill="#fff" fillOpacity="0.16" />
          <circle cx="196" cy="150" r="92" fill="#fff" />
          <path d="M164 212h64l28 118H136z" fill="#fff" />
        </mask>
      </defs>
      <rect x="20" y="10" width="352" height="340" rx="32" fill="var(--picture)" />
      <g mask="url(#keyhole)">
        <ellipse cx="196" cy="178" rx="138" ry="156" fill="none" stroke="#e9f2f2" strokeWidth="12" />
        <ellipse cx="196" cy="178" rx="124" ry="142" fill="url(#tissue)" />
        <g fill="none" stroke="#20313a" strokeOpacity="0.55" strokeWidth="5" strokeLinecap="round">
          <path d="M196 44v262" />
          <path d="M176 120c-26 8-34 34-22 54s8 46-8 60" />
          <path d="M216 120c26 8 34 34 22 54s-8 46 8 60" />
          <path d="M112 128c14 4 22 14 20 28M280 128c-14 4-22 14-20 28M104 214c16-4 30 0 36 12M288 214c-16-4-30 0-36 12" />
          <path d="M150 74c-4 14-16 22-30 24M242 74c4 14 16 22 30 24M140 274c8-10 20-14 32-10M252 274c-8-10-20-14-32-10" />
        </g>
        <path
          d="M182 150c-18 16-16 52-6 66 8-22 8-44 6-66zM210 150c18 16 16 52 6 66-8-22-8-44-6-66z"
          fill="#101a20"
        />
      </g>
      <g
        transform="translate(262 214) rotate(-38)"
        fill="none"
        stroke="var(--accent)"
        strokeLinecap="round"
        strokeLinejoin="round"
        strokeWidth="15"
      >
        <circle cx="0" cy="0" r="34" fill="var(--surface)" />
        <path d="M34 0h118M126 0v30M152 0v22" />
      </g>
    </svg>
  );
}

/** A scan, and the key to it. Decoration. */
export function KeyPicture({ className }: { className?: string }) {
  return (
    <svg className={className} viewBox="0 0 420 360" aria-hidden="true">
      <defs>
        <radialGradient id="key-picture-tissue" cx="50%" cy="42%" r="62%">
          <stop offset="0%" stopColor="#b9cbcd" />
          <stop offset="60%" stopColor="#6f888e" />
          <stop offset="100%" stopColor="#33454e" />
        </radialGradient>
      </defs>
      <rect x="20" y="10" width="352" height="340" rx="32" fill="var(--picture)" />
      <ellipse cx="190" cy="178" rx="122" ry="142" fill="url(#key-picture-tissue)" />
      <ellipse cx="190" cy="178" rx="132" ry="152" fill="none" stroke="#dfe9ea" strokeWidth="11" />
      <g fill="none" stroke="#22333c" strokeOpacity="0.6" strokeLinecap="round" strokeWidth="5">
        <path d="M190 46v84M190 232v78" />
        <path d="M92 132c14-2 24 8 22 24M288 132c-14-2-24 8-22 24" />
        <path d="M84 196c16-6 30 2 32 18M296 196c-16-6-30 2-32 18" />
        <path d="M138 66c0 16-12 26-30 28M242 66c0 16 12 26 30 28" />
        <path d="M112 268c10-12 26-14 38-6M268 268c-10-12-26-14-38-6" />
        <path d="M158 96c-8 14-26 18-36 30M222 96c8 14 26 18 36 30" />
      </g>
      <path
        d="M182 140c-22 14-30 34-20 52 6-14 14-22 20-30zM198 140c22 14 30 34 20 52-6-14-14-22-20-30z"
        fill="#16232b"
      />
      <g
        transform="translate(248 236) rotate(-36)"
        fill="none"
        stroke="var(--surface)"
        strokeLinecap="round"
        strokeLinejoin="round"
        strokeWidth="30"
      >
        <circle r="34" />
        <path d="M34 0h112M120 0v28M146 0v22" />
      </g>
      <g
        transform="translate(248 236) rotate(-36)"
        fill="none"
        stroke="var(--accent)"
        strokeLinecap="round"
        strokeLinejoin="round"
        strokeWidth="15"
      >
        <circle r="34" />
        <path d="M34 0h112M120 0v28M146 0v22" />
      </g>
    </svg>
  );
}

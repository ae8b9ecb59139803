import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { shortAddress } from "../words/addresses.ts";
import s from "./AddressTag.module.css";

/** A shortened address with a button that copies the whole of it. */
export function AddressTag({ address }: { address: string }) {
  const [copied, setCopied] = useState(false);

  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);

  return (
    <span className={s.tag}>
      <span title={address}>{shortAddress(address)}</span>
      <button
        type="button"
        className={s.copy}
        aria-label={`Copy the address ${shortAddress(address)}`}
        onClick={() => void navigator.clipboard.writeText(address).then(() => setCopied(true))}
      >
        {copied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
      </button>
      <span className="visually-hidden" role="status">
        {copied ? "Address copied" : ""}
      </span>
    </span>
  );
}

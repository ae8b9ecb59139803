import { useQueryClient } from "@tanstack/react-query";
import { ChevronDown, LogOut, RefreshCw } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useConnection, useDisconnect } from "wagmi";
import { useLocation } from "wouter";
import type { Gateway } from "../../api/index.ts";
import { AddressTag, Avatar, Button } from "../../design/index.ts";
import { purposeInWords, sameAddress, shortAddress } from "../../words/index.ts";
import { useHome, useSessions, useSignedIn } from "../connect/index.ts";
import { useMe } from "../exams/index.ts";
import { SignInDialog, useGateways } from "../gateways/index.ts";
import s from "./AccountMenu.module.css";

/** Who is connected, for which purpose, and the ways to change either. */
export function AccountMenu() {
  const { address } = useConnection();
  const me = useMe();
  const home = useHome();
  const [open, setOpen] = useState(false);
  const [changing, setChanging] = useState<Gateway | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open) return;
    const closeOutside = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    const closeOnEscape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener("pointerdown", closeOutside);
    document.addEventListener("focusin", closeOutside);
    document.addEventListener("keydown", closeOnEscape);
    return () => {
      document.removeEventListener("pointerdown", closeOutside);
      document.removeEventListener("focusin", closeOutside);
      document.removeEventListener("keydown", closeOnEscape);
    };
  }, [open]);

  if (!address) return null;
  const persona = home.discovery.personas?.find((one) => sameAddress(one.address, address));
  const name = persona?.name ?? me?.name ?? shortAddress(address);
  return (
    <div className={s.box} ref={box}>
      <button
        ref={button}
        type="button"
        className={s.button}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Avatar name={name} address={address} size={32} />
        <span className={s.name}>
          <span className="visually-hidden">Account: </span>
          {name}
        </span>
        <ChevronDown aria-hidden="true" />
      </button>
      {open && (
        <Panel
          address={address}
          name={name}
          role={me?.role ?? null}
          onDone={() => setOpen(false)}
          onChangePurpose={setChanging}
        />
      )}
      {changing && <SignInDialog gateway={changing} onClose={() => setChanging(null)} />}
    </div>
  );
}

interface PanelProps {
  address: string;
  name: string;
  role: string | null;
  onDone: () => void;
  onChangePurpose: (gateway: Gateway) => void;
}

function Panel({ address, name, role, onDone, onChangePurpose }: PanelProps) {
  const sessions = useSessions();
  const sessionAt = useSignedIn();
  const queries = useQueryClient();
  const disconnect = useDisconnect();
  const [, navigate] = useLocation();
  const signedIn = useGateways().flatMap((gateway) => {
    const session = sessionAt(gateway.base);
    return session ? [{ gateway, session }] : [];
  });

  const changePurpose = () => {
    onDone();
    const only = signedIn.length === 1 ? signedIn[0] : undefined;
    if (only) onChangePurpose(only.gateway);
    else navigate("/custodians");
  };
  const signOut = () => {
    onDone();
    sessions.endAll(address);
    queries.removeQueries({ queryKey: ["gateway"] });
    disconnect.mutate();
    navigate("/");
  };

  return (
    <div className={s.panel}>
      <p className={s.who}>{name}</p>
      {role && <p className={s.muted}>{role}</p>}
      <AddressTag address={address} />
      {signedIn.length > 0 && (
        <dl className={s.sessions}>
          {signedIn.map(({ gateway, session }) => (
            <div key={gateway.base}>
              <dt>{gateway.name}</dt>
              <dd>{purposeInWords(session.purpose).signIn}</dd>
            </div>
          ))}
        </dl>
      )}
      <div className={s.actions}>
        {signedIn.length > 0 && (
          <Button icon={<RefreshCw aria-hidden="true" />} onClick={changePurpose}>
            Change purpose
          </Button>
        )}
        <Button icon={<LogOut aria-hidden="true" />} onClick={signOut}>
          Sign out
        </Button>
      </div>
    </div>
  );
}

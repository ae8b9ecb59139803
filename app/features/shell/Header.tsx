import { FolderHeart, Hospital, KeyRound, Users } from "lucide-react";
import { Link, useRoute } from "wouter";
import { AccountMenu } from "./AccountMenu.tsx";
import s from "./Header.module.css";

/** The bar at the top: where you are, where you can go, who you are. */
export function Header({ signedIn, connected }: { signedIn: boolean; connected: boolean }) {
  return (
    <header className={s.header}>
      <div className={s.inner}>
        <Link href="/" className={s.brand}>
          <KeyRound aria-hidden="true" />
          ExamKey
        </Link>
        {signedIn && (
          <nav className={s.nav} aria-label="Main">
            <NavLink to="/my-exams" icon={<FolderHeart aria-hidden="true" />} label="My exams" />
            <NavLink to="/shared-with-me" icon={<Users aria-hidden="true" />} label="Shared with me" />
            <NavLink to="/custodians" icon={<Hospital aria-hidden="true" />} label="Custodians" />
          </nav>
        )}
        {connected && <AccountMenu />}
      </div>
    </header>
  );
}

function NavLink({ to, icon, label }: { to: string; icon: React.ReactNode; label: string }) {
  const [active] = useRoute(to);
  return (
    <Link href={to} className={s.link} aria-current={active ? "page" : undefined}>
      {icon}
      {label}
    </Link>
  );
}

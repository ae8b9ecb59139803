import { Wallet } from "lucide-react";
import { type Connector, useConnect, useConnectors } from "wagmi";
import { Dialog, Notice, Spinner } from "../../design/index.ts";
import s from "./ConnectDialog.module.css";
import { WalletErrorNotice } from "./WalletErrorNotice.tsx";

/** Every wallet that this browser offers (EIP-6963), by its own name and icon. */
export function ConnectDialog({ onClose }: { onClose: () => void }) {
  const connectors = useConnectors();
  const connect = useConnect({ mutation: { onSuccess: onClose } });
  const pending = connect.isPending ? connect.variables.connector : null;

  return (
    <Dialog
      title="Connect your wallet"
      subtitle="Your wallet is the key: it proves that it is you, and nothing is opened without it."
      onClose={onClose}
    >
      <div className={s.stack}>
        {connectors.length === 0 ? (
          <NoWallet />
        ) : (
          <ul className={s.wallets}>
            {connectors.map((connector) => (
              <li key={connector.uid}>
                <WalletButton
                  connector={connector}
                  pending={pending === connector}
                  onPress={() => connect.mutate({ connector })}
                />
              </li>
            ))}
          </ul>
        )}
        <div aria-live="polite">
          {pending && <p className={s.hint}>Answer in your wallet to go on.</p>}
          {connect.isError && <WalletErrorNotice error={connect.error} />}
        </div>
      </div>
    </Dialog>
  );
}

function WalletButton({
  connector,
  pending,
  onPress,
}: {
  connector: Connector;
  pending: boolean;
  onPress: () => void;
}) {
  return (
    <button type="button" className={s.wallet} onClick={onPress} aria-disabled={pending || undefined}>
      {connector.icon ? (
        <img className={s.icon} src={connector.icon.trim()} alt="" />
      ) : (
        <Wallet className={s.icon} aria-hidden="true" />
      )}
      <span className={s.name}>{connector.name}</span>
      {pending && <Spinner />}
    </button>
  );
}

function NoWallet() {
  return (
    <Notice kind="warn" title="No wallet was found in this browser.">
      A wallet is a browser extension, such as MetaMask or Rabby, that holds your key. Install one, then
      reload this page.
    </Notice>
  );
}

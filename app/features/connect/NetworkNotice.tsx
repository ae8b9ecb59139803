import { useConnection, useSwitchChain } from "wagmi";
import { Button, Notice } from "../../design/index.ts";
import { useHome } from "./home.ts";
import { isRejection, sentenceForError } from "./walletErrors.ts";

/** Whether the wallet stands on the chain that holds the consent ledger. */
export function useOnRightNetwork(): boolean {
  const home = useHome();
  const { chainId, status } = useConnection();
  return status !== "connected" || chainId === home.chainId;
}

/** Where the wallet is on another network: says so, and offers to switch to the right one or to add it. */
export function NetworkNotice() {
  const home = useHome();
  const right = useOnRightNetwork();
  const switching = useSwitchChain();
  if (right) return null;
  const name = home.discovery.chainName;
  return (
    <Notice
      kind="warn"
      role="status"
      title={`Your wallet is on another network than ${name}.`}
      actions={
        <Button
          kind="primary"
          busy={switching.isPending}
          onClick={() =>
            switching.mutate({
              chainId: home.chainId,
              addEthereumChainParameter: { chainName: name, rpcUrls: [home.discovery.rpcUrl] },
            })
          }
        >
          Switch to {name}
        </Button>
      }
    >
      {switching.isError
        ? [
            sentenceForError(switching.error).title,
            !isRejection(switching.error) && `Add the network by hand: ${home.discovery.rpcUrl}`,
          ]
            .filter(Boolean)
            .join(" ")
        : "Your wallet adds it if it does not know it yet."}
    </Notice>
  );
}

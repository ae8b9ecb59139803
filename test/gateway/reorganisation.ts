/** Reorganisations, as Hardhat's node can make them: go back to a snapshot, and mine another chain from there. */
import type { JsonRpcProvider } from "ethers";

/** Undo what came after a snapshot. Hardhat's clock would be ahead then, by as long as that took. */
export async function undoSince(provider: JsonRpcProvider, snapshot: string): Promise<void> {
  await provider.send("evm_revert", [snapshot]);
  for (let attempt = 1; ; attempt += 1) {
    const latest = (await provider.getBlock("latest"))?.timestamp ?? 0;
    const next = Math.max(latest, Math.floor(Date.now() / 1000));
    try {
      await provider.send("evm_setNextBlockTimestamp", [next]);
      return;
    } catch (error) {
      // The node mined one more block meanwhile, by its clock.
      if (attempt === 5) throw error;
    }
  }
}

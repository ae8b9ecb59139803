/** The connection to an EVM node. */
import { FetchRequest, JsonRpcProvider, Network } from "ethers";
import type { Hex } from "../../protocol/hash.ts";
import { ConfigError } from "../config.ts";

/** Milliseconds after which a node that does not answer counts as down. */
const RPC_TIMEOUT = 5_000;

/** A block, as far as the gateway reads it. `timestamp` in seconds. */
export type Block = { number: number; hash: Hex; parentHash: Hex; timestamp: number };

/** The chain's identity, and a provider that is bound to it. */
export type Connection = { provider: JsonRpcProvider; chainId: number; genesisHash: Hex };

/**
 * Connect to the node and learn which chain it serves.
 * @throws {ConfigError} when it does not answer
 */
export async function connectChain(rpcUrl: string): Promise<Connection> {
  const chainId = await readChainId(rpcUrl).catch((error: Error) => {
    throw new ConfigError(`RPC_URL: no chain answers at ${rpcUrl} (${error.message}).`);
  });
  // Nothing is cached: an answer a quarter of a second old may hide a revoke.
  const provider = new JsonRpcProvider(requestTo(rpcUrl), chainId, {
    staticNetwork: Network.from(chainId),
    cacheTimeout: -1,
    batchStallTime: 0,
    pollingInterval: 250,
  });
  const genesis = await readBlock(provider, 0);
  if (!genesis) throw new ConfigError(`RPC_URL: the chain at ${rpcUrl} has no genesis block.`);
  return { provider, chainId, genesisHash: genesis.hash };
}

/** One block by its number or tag; null where the node has none. */
export async function readBlock(
  provider: JsonRpcProvider,
  block: number | "latest" | "finalized",
): Promise<Block | null> {
  const tag = typeof block === "number" ? `0x${block.toString(16)}` : block;
  const answer: unknown = await provider.send("eth_getBlockByNumber", [tag, false]);
  if (answer === null) return null;
  const { number, hash, parentHash, timestamp } = answer as Record<string, Hex>;
  if (!hash || !parentHash || !number || !timestamp) throw new Error("The node answered with half a block.");
  return { number: Number(number), hash, parentHash, timestamp: Number(timestamp) };
}

async function readChainId(rpcUrl: string): Promise<number> {
  const response = await fetch(rpcUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] }),
    signal: AbortSignal.timeout(RPC_TIMEOUT),
  });
  const { result } = (await response.json()) as { result?: string };
  const chainId = Number(result);
  if (!Number.isSafeInteger(chainId) || chainId <= 0) throw new Error("it names no chain id");
  return chainId;
}

function requestTo(rpcUrl: string): FetchRequest {
  const request = new FetchRequest(rpcUrl);
  request.timeout = RPC_TIMEOUT;
  // The gateway asks again at its own pace: a request that lingers would answer with an old state.
  request.setThrottleParams({ maxAttempts: 1 });
  return request;
}

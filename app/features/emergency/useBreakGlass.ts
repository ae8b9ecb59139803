import { type UseMutationResult, useMutation, useQueryClient } from "@tanstack/react-query";
import type { Address, EIP1193Provider, Hex, PublicClient } from "viem";
import { getAddress } from "viem";
import { useConfig, useConnection, usePublicClient } from "wagmi";
import { signMessage } from "wagmi/actions";
import { emergencySchema, meSchema } from "../../../protocol/api.ts";
import { askJson, type Gateway } from "../../api/index.ts";
import { type Session, signIn, useHome, useSessions } from "../connect/index.ts";
import { useAnswers } from "../gateways/index.ts";
import { type Breaking, signEmergency } from "./breakGlass.ts";

/** Where the connected practitioner may break the glass. */
export interface Place {
  gateway: Gateway;
  session: Session;
  emergencyAccess: Address;
  badge: Address;
}

/** What the person chose. */
export type Chosen = Pick<Breaking, "reason" | "hours" | "second">;

/** The gateways that honour emergencies and know a badge of the connected practitioner's. */
export function usePlaces(): Place[] {
  return useAnswers("/me", meSchema).flatMap(({ gateway, session, query }) => {
    const { emergencyAccess } = gateway;
    const badge = query.data?.badge;
    return emergencyAccess && badge ? [{ gateway, session, emergencyAccess, badge: getAddress(badge) }] : [];
  });
}

/** Breaks the glass at a gateway: signs in for emergency treatment where that is still to do, then asks for the badge. */
export function useBreakGlass(examId: Hex, place: Place): UseMutationResult<void, Error, Chosen> {
  const home = useHome();
  const config = useConfig();
  const client = usePublicClient() as PublicClient;
  const sessions = useSessions();
  const queries = useQueryClient();
  const { address, connector } = useConnection();

  return useMutation({
    mutationFn: async (chosen: Chosen) => {
      if (!address || !connector) throw new Error("No account is connected.");
      const { gateway, session, emergencyAccess, badge } = place;
      const { base } = gateway;
      const { chainId } = home;
      if (sessions.get(base, address)?.purpose !== "ETREAT") {
        const sign = (message: string) => signMessage(config, { message, account: address, connector });
        const renewed = await signIn({ gateway, address, chainId, purpose: "ETREAT" }, sign);
        sessions.begin({ base, address: session.address, purpose: "ETREAT" }, renewed);
      }
      // Asked of the wallet itself: the badge is another account than the one that is connected.
      const provider = (await connector.getProvider()) as EIP1193Provider;
      const sign = (by: Address, typedData: string) =>
        provider.request({ method: "eth_signTypedData_v4", params: [by, typedData] });
      const breaking = { ...chosen, emergencyAccess, chainId, examId, reader: address, badge };
      const body = await signEmergency(client, breaking, sign);
      const token = await sessions.token(base, address);
      await askJson(`${base}/emergencies`, emergencySchema, { token, body });
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ["gateway"] }),
  });
}

export { CustodiansPage } from "./CustodiansPage.tsx";
export { GatewayNotices, SignInDialog } from "./GatewayNotices.tsx";
export { type Answer, answerKey, useAnswers, useWithToken } from "./useAnswers.ts";
export {
  type CustodianStatus,
  type Custodians,
  type GatewayState,
  useCustodians,
  useGateways,
} from "./useCustodians.ts";

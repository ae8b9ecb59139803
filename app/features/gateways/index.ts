export { CustodiansPage } from "./CustodiansPage.tsx";
export { GatewayNotices, SignInDialog } from "./GatewayNotices.tsx";
export { type Answer, answerKey, useAnswers, useWithToken } from "./useAnswers.ts";
export { useCustodians, useGateways } from "./useCustodians.ts";

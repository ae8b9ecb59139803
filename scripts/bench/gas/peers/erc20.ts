/** OpenZeppelin's ERC-20: its `approve` writes one slot and one event, and is the least that a permission has cost so far. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { InterfaceAbi } from "ethers";
import hre from "hardhat";
import solc from "solc";
import type { Chain, Compiled } from "../chain.ts";
import { AMOUNT } from "../samples.ts";

const SOURCE = `
pragma solidity ^0.8.27;
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
contract Token is ERC20 { constructor() ERC20("Token", "TOKEN") {} }`;

/** The part of the compiler's output that is read here. */
type Output = {
  errors?: { severity: string; formattedMessage: string }[];
  contracts: {
    [file: string]: { [name: string]: { abi: InterfaceAbi; evm: { bytecode: { object: string } } } };
  };
};

/** The token, compiled with the same settings as the ledger: the package has an abstract one alone. */
function compileToken(): Compiled {
  const input = {
    language: "Solidity",
    sources: { "Token.sol": { content: SOURCE } },
    settings: {
      ...hre.config.solidity.profiles.default?.compilers[0]?.settings,
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
    },
  };
  const read = (path: string) => ({
    contents: readFileSync(fileURLToPath(import.meta.resolve(path)), "utf8"),
  });
  const output: Output = JSON.parse(solc.compile(JSON.stringify(input), { import: read }));
  const token = output.contracts["Token.sol"]?.Token;
  if (!token) throw new Error(output.errors?.map(({ formattedMessage }) => formattedMessage).join("\n"));
  return { abi: token.abi, bytecode: `0x${token.evm.bytecode.object}` };
}

/** Approves, approves another amount, and approves nothing. */
export async function erc20Costs({ deploy, measure, accountOf }: Chain) {
  const token = await deploy(compileToken());
  const reader = accountOf("reader").address;
  const approve = async (amount: number) => (await measure(token, "patient", "approve", reader, amount)).gas;
  return {
    "OpenZeppelin ERC-20 approve": await approve(AMOUNT),
    "OpenZeppelin ERC-20 approve, another amount": await approve(AMOUNT + 1),
    "OpenZeppelin ERC-20 approve, to zero": await approve(0),
  };
}

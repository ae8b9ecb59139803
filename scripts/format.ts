import { globSync } from "node:fs";
import { ROOT, runTool } from "./checks/program.ts";

const solidity = globSync("{contracts,test}/**/*.sol", { cwd: ROOT });
const biome = await runTool("@biomejs/biome/bin/biome", ["check", "--write", "."], { live: true });
const prettier = await runTool("prettier/bin/prettier.cjs", ["--write", ...solidity], { live: true });
process.exitCode = biome.code === 0 && prettier.code === 0 ? 0 : 1;

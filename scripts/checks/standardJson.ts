/**
 * npm's solc, speaking as the program `solc` does to those who call it: `--version`, or else standard JSON from the
 * input to the output. Sources come with their texts, so no path needs to be looked up.
 */
import { text } from "node:stream/consumers";
import solc from "solc";

if (process.argv.includes("--version")) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
} else {
  process.stdout.write(solc.compile(await text(process.stdin)));
}

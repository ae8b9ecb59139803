import { globSync } from "node:fs";
import type { HardhatPlugin } from "hardhat/types/plugins";

/** Tests and what they are made of; not the accounts that sign, whose gas is measured. */
const TESTS = "test/contracts/{*.t,Deploy,*Actors,*Model,*Signing,*Test}.sol";

/**
 * Compiles the tests themselves without the IR, in a fraction of the time: nobody deploys them, and
 * what they test comes from its own build (test/contracts/Deploy.sol).
 *
 * It sets Hardhat's `overrides`, once the configuration is resolved: files are compiled together that share one
 * settings object, and of overrides that a configuration names, each gets a copy.
 */
export const testCompiler: HardhatPlugin = {
  id: "examkey-test-compiler",
  hookHandlers: {
    config: async () => ({
      default: async () => ({
        async resolveUserConfig(userConfig, resolveConfigurationVariable, next) {
          const config = await next(userConfig, resolveConfigurationVariable);
          const tests = globSync(TESTS, { cwd: config.paths.root });
          for (const profile of Object.values(config.solidity.profiles)) {
            const [compiler] = profile.compilers;
            if (compiler === undefined) continue;
            const quick = { ...compiler, settings: { ...compiler.settings, viaIR: false } };
            for (const file of tests) profile.overrides[file.replaceAll("\\", "/")] = quick;
          }
          return config;
        },
      }),
    }),
  },
};

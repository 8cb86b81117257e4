// Tests run from the sources of all workspace packages: nothing need be built first.
export default {
  testEnvironment: 'node',
  // A bound for what hangs, not a measurement: machines that run this are small and busy.
  testTimeout: 60_000,
  testMatch: ['<rootDir>/src/**/*.test.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  // Never list 'import' or 'require' here: jest adds the right one itself.
  testEnvironmentOptions: { customExportConditions: ['@tutti/source', 'node'] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
};

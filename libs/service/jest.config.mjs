import base from '../../tools/jest.base.mjs';

export default { ...base, displayName: 'service', testTimeout: 30_000 };

import base from '../../tools/jest.base.mjs';

// These take minutes of one core: two at a time, also where there are only two cores.
export default { ...base, displayName: 'differential-tests', maxWorkers: 2 };

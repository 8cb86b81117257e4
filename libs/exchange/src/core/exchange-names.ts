// The names by which exchange files are known between nodes. None of them may lead out of a session's directory.

/** stage.share.attempt */
const FRAGMENT_ID = /^[A-Za-z0-9_-]{1,64}\.\d{1,9}\.\d{1,9}$/;
const SEGMENT = /^[A-Za-z0-9_=-][A-Za-z0-9_=.-]{0,127}$/;
/** As in __p=3/data_0.parquet. */
const DEPTH_MAX = 3;

/** Whether it is the id of a fragment, fit to name a directory. */
export const isFragmentId = (id: string): boolean => FRAGMENT_ID.test(id);

/** Whether it is a relative path that stays below the directory that it is relative to. */
export function isFileName(name: string): boolean {
  const segments = name.split('/');
  return segments.length <= DEPTH_MAX && segments.every((segment) => SEGMENT.test(segment));
}

/**
 * What a statement says that asks for the time or the transaction. The optimiser replaces such calls by values, also inside larger
 * expressions: a plan is then one of its moment.
 */
const MOMENTARY =
  /(?<!\w)(?:now|ago|age|today|time_?of_?day|(?:get_)?current_\w+|local(?:time|timestamp)|\w+_(?:timestamp|start_time|load_time)|txid_\w+)(?!\w)/i;

/** Whether the plan of a statement may be another one at another time. By its words, wherever they are: false only when it is sure. */
export const isMomentary = (sql: string): boolean => MOMENTARY.test(sql);

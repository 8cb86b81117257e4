// Limits that hold on every port and every channel.

/** The largest message that is sent or taken, in bytes. Larger ones end the call with RESOURCE_EXHAUSTED. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

/** The longest message of an error, in characters: it travels in a header, and headers are limited too. */
export const ERROR_MESSAGE_LENGTH_MAX = 4_096;

/** A server that answers no ping is given up after interval + timeout; without pings a frozen peer is never noticed. */
export const KEEPALIVE_INTERVAL_MS = 10_000;
export const KEEPALIVE_TIMEOUT_MS = 5_000;

/**
 * The same for clients of a cluster port: sooner, since their tasks must have ended before somebody counts on it, 10 s after
 * they were last heard. The timeout is what a client's event loop may stand still.
 */
export const CLIENT_PING_INTERVAL_MS = 3_000;
export const CLIENT_PING_TIMEOUT_MS = 6_000;

/** Wide windows and frames: 64 KiB windows, the default of HTTP/2, move a seventh of the bytes per second. */
export const WINDOW_BYTES = 4 * 1024 * 1024;
export const FRAME_BYTES_MAX = 64 * 1024;

/** Unary calls that name no timeout of their own. Streams live as long as their signal. */
export const CLUSTER_TIMEOUT_MS = 10_000;
export const EDGE_TIMEOUT_MS = 30_000;

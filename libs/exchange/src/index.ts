export { isFileName, isFragmentId } from './core/exchange-names.js';
export type { RemoteFile } from './exchange-client.js';
export { ExchangeError, type ExchangeErrorReason, type FilePlace } from './exchange-error.js';
export {
  ExchangeFetcher,
  type ExchangeFetcherOptions,
  type FetchedFiles,
  type SessionFetches,
} from './exchange-fetcher.js';
export { exchangeService, type ExchangeServiceOptions } from './exchange-service.js';
export type { ExchangeSession } from './exchange-session.js';
export { type ExchangeStats, ExchangeStore, type ExchangeStoreOptions } from './exchange-store.js';
export type { FragmentFiles, HeldFile, WrittenFile } from './fragment-files.js';

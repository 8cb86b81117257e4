import { type ClosableTransport, createClusterTransport } from '@tutti/service';

/** Opens a channel to a resource manager: `new ChannelPool().connect` shares it with others who talk to the same one. */
export type Connect = (address: string) => ClosableTransport;

export const connectCluster: Connect = (address) => createClusterTransport({ address });

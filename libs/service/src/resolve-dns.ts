import { lookup } from 'node:dns/promises';

/** All IPv4 and IPv6 addresses of a name, from the system's resolver (it knows /etc/hosts and the cluster's DNS alike). */
export async function resolveDns(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true });
  return found.map(({ address }) => address).sort();
}

import type { QueryInfo } from '@tutti/contracts/tutti/query/v1/query_pb';

/** The settings that one command sends with each statement. The server keeps none: it says what to send from now on. */
export class SessionSettings {
  private properties: Readonly<Record<string, string>>;

  constructor(given: Readonly<Record<string, string>>) {
    this.properties = given;
  }

  get current(): Readonly<Record<string, string>> {
    return this.properties;
  }

  /** Takes over what a statement that ended well has changed; returns it for people, empty when nothing. */
  apply({ setSession, resetSession }: Pick<QueryInfo, 'setSession' | 'resetSession'>): string {
    const kept = Object.entries(this.properties).filter(([name]) => !resetSession.includes(name.toLowerCase()));
    this.properties = { ...Object.fromEntries(kept), ...setSession };
    const set = Object.entries(setSession).map(([name, value]) => `${name} = ${value}`);
    const reset = resetSession.map((name) => `${name} is reset`);
    return [...set, ...reset].join(', ');
  }
}

import { randomInt, seededRandom, type Random } from '@tutti/base';

/** Value lists that TPC-H's queries ask for by name (clause 4.2.2.13), in the order in which keys point at them. */
export const REGIONS = ['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'];

/** Each nation with the key of its region (clause 4.2.3). */
export const NATIONS: readonly (readonly [name: string, regionKey: number])[] = [
  ['ALGERIA', 0],
  ['ARGENTINA', 1],
  ['BRAZIL', 1],
  ['CANADA', 1],
  ['EGYPT', 4],
  ['ETHIOPIA', 0],
  ['FRANCE', 3],
  ['GERMANY', 3],
  ['INDIA', 2],
  ['INDONESIA', 2],
  ['IRAN', 4],
  ['IRAQ', 4],
  ['JAPAN', 2],
  ['JORDAN', 4],
  ['KENYA', 0],
  ['MOROCCO', 0],
  ['MOZAMBIQUE', 0],
  ['PERU', 1],
  ['CHINA', 2],
  ['ROMANIA', 3],
  ['SAUDI ARABIA', 4],
  ['VIETNAM', 2],
  ['RUSSIA', 3],
  ['UNITED KINGDOM', 3],
  ['UNITED STATES', 1],
];

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

export const SEGMENTS = ['AUTOMOBILE', 'BUILDING', 'FURNITURE', 'HOUSEHOLD', 'MACHINERY'];
export const PRIORITIES = ['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'];
export const INSTRUCTIONS = ['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'];
export const MODES = ['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'];
export const TYPES = [
  words('STANDARD SMALL MEDIUM LARGE ECONOMY PROMO'),
  words('ANODIZED BURNISHED PLATED POLISHED BRUSHED'),
  words('TIN NICKEL BRASS STEEL COPPER'),
] as const;
export const CONTAINERS = [words('SM LG MED JUMBO WRAP'), words('CASE BOX BAG JAR PKG PACK CAN DRUM')] as const;

/** The words of part names, shuffled once, since a name takes its words in the order of this list. */
export const COLOURS = shuffled(
  words(`almond antique aquamarine azure beige bisque black blanched blue blush brown burlywood burnished chartreuse
    chiffon chocolate coral cornflower cornsilk cream cyan dark deep dim dodger drab firebrick floral forest frosted
    gainsboro ghost goldenrod green grey honeydew hot indian ivory khaki lace lavender lawn lemon light lime linen
    magenta maroon medium metallic midnight mint misty moccasin navajo navy olive orange orchid pale papaya peach peru
    pink plum powder puff purple red rose rosy royal saddle salmon sandy seashell sienna sky slate smoke snow spring
    steel tan thistle tomato turquoise violet wheat white yellow`),
  seededRandom(92),
);

/** Comments are windows onto this text. Long enough that equal comments are rare, short enough for a statement. */
export const POOL_LENGTH = 1 << 19;

const ADVERBS = words('slowly quickly quietly carefully boldly evenly rarely always daily again there late');
const ADJECTIVES = words(`special special regular final express pending ironic silent even bold close unusual
  furious steady daring patient`);
const NOUNS = words(`requests packages accounts deposits orders invoices parcels ledgers couriers depots cartons
  warehouses tallies quotes crates pallets receipts freights`);
const VERBS = words(
  'wait sleep arrive leave move return rest travel settle haggle wake vanish gather stand detect add',
);
const PREPOSITIONS = words('above behind beside across near without among under within before after toward');

/** Sentences about orders; `special` and, later in the same window, `requests` meet in about one order in a hundred. */
export function commentPool(): string {
  const random = seededRandom(13);
  const pick = (list: readonly string[]): string => list[randomInt(random, list.length)] ?? '';
  const nounPhrase = (): string => `${random() < 0.75 ? `${pick(ADJECTIVES)} ` : ''}${pick(NOUNS)}`;
  let text = '';
  while (text.length < POOL_LENGTH) {
    const end = random() < 0.8 ? '.' : '!';
    const adverb = random() < 0.5 ? ` ${pick(ADVERBS)}` : '';
    text += `${nounPhrase()} ${pick(VERBS)}${adverb} ${pick(PREPOSITIONS)} the ${nounPhrase()}${end} `;
  }
  return text.slice(0, POOL_LENGTH);
}

/** Letters, digits, spaces and commas in no order: addresses are windows onto this text. */
export function addressPool(): string {
  const alphabet = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ,';
  const random = seededRandom(64);
  return Array.from({ length: 1 << 16 }, () => alphabet.charAt(randomInt(random, alphabet.length))).join('');
}

function shuffled(list: readonly string[], random: Random): string[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = randomInt(random, i + 1);
    [result[i], result[j]] = [result[j] ?? '', result[i] ?? ''];
  }
  return result;
}

import { posix } from 'node:path';
import { DockerfileParser, type JSONInstruction, type ModifiableInstruction } from 'dockerfile-ast';

/** One instruction, read as Docker reads it. */
export interface Instruction {
  /** COPY, RUN, ... in capitals. */
  readonly name: string;
  readonly flags: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** What follows the name and the flags, with continued lines joined. */
  readonly text: string;
  /** Whether it was written as a JSON array, so that no shell stands between. */
  readonly isExec: boolean;
}

export interface Stage {
  readonly name: string | undefined;
  /** The image or earlier stage that it starts from, with ARGs filled in. */
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

/** What the final stage copies from an earlier one. */
export interface StageCopy {
  readonly stage: string | undefined;
  /** Absolute in the stage that it comes from; relative to the build context when there is none. */
  readonly source: string;
  /** Absolute in the image. */
  readonly target: string;
}

/** The stages of a Dockerfile, in its order. */
export function parseStages(text: string): Stage[] {
  const dockerfile = DockerfileParser.parse(text);
  const defaults = new Map(
    dockerfile.getInitialARGs().map((arg) => [arg.getProperty()?.getName(), arg.getProperty()?.getValue()]),
  );
  const expand = (word: string) => word.replace(/\$\{?(\w+)\}?/g, (whole, name: string) => defaults.get(name) ?? whole);
  const stages: { name: string | undefined; from: string; instructions: Instruction[] }[] = [];
  for (const instruction of dockerfile.getInstructions()) {
    const name = instruction.getKeyword();
    const args = instruction.getArguments().map((argument) => argument.getValue());
    if (name === 'FROM')
      stages.push({
        name: args[1]?.toUpperCase() === 'AS' ? args[2] : undefined,
        from: expand(args[0] ?? ''),
        instructions: [],
      });
    const flags = (instruction as ModifiableInstruction).getFlags?.() ?? [];
    const strings = (instruction as JSONInstruction).getJSONStrings?.() ?? [];
    stages.at(-1)?.instructions.push({
      name,
      flags: Object.fromEntries(flags.map((flag) => [flag.getName(), flag.getValue() ?? ''])),
      args: strings.length > 0 ? strings.map((argument) => argument.getJSONValue()) : args,
      text: args.join(' '),
      isExec: strings.length > 0,
    });
  }
  return stages;
}

export const instructionsOf = (stage: Stage, name: string): Instruction[] =>
  stage.instructions.filter((instruction) => instruction.name === name);

/** The directory in which a stage's later instructions and programs run. */
export const workingDirectory = (stage: Stage): string => instructionsOf(stage, 'WORKDIR').at(-1)?.args[0] ?? '/';

/** What `stage` copies, with absolute targets. */
export const copiesOf = (stage: Stage): StageCopy[] =>
  instructionsOf(stage, 'COPY').flatMap(({ flags, args }) =>
    args.slice(0, -1).map((source) => ({
      stage: flags['from'],
      source,
      target: posix.resolve(workingDirectory(stage), args.at(-1) ?? ''),
    })),
  );

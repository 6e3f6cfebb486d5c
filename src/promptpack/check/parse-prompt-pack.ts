/** Turns the text of a PromptPack into a checked document, or finds everything that is wrong with it. */
import { formatPath, validate } from "../../api/fields/problems.ts";
import { checkPack, type PackRemark } from "./check-pack.ts";
import { contentHash } from "../document/content-hash.ts";
import {
  type PromptPackDocument,
  promptPackDocumentSchema,
} from "../document/prompt-pack-document.ts";
import { isReadSkill } from "../document/skills.ts";
import { findLaterFields, validatorsThatOnlyWarn, withLaterFields } from "./later-fields.ts";
import { type PartNotRun, partsNotRun } from "./parts-not-run.ts";
import { splitPackText } from "./pack-text.ts";
import { readPackSource } from "./read-pack-source.ts";
import { readSkills } from "./read-skills.ts";

/** A little less than a ConfigMap holds, so that a growing pack is refused in plain words before it can no longer be applied. */
export const MAX_PACK_BYTES = 1_000_000;
/** More problems than this are counted, not listed. */
export const MAX_LISTED_PROBLEMS = 10;

export interface PackProblem {
  /** A path like `prompts.support.variables[0].type`. An empty path means the whole pack. */
  path: string;
  message: string;
  /** The line in the text of the pack, counted from 1. */
  line?: number;
  column?: number;
}

export type ParsedPromptPack =
  | {
      ok: true;
      pack: PromptPackDocument;
      /** 12 hex digits that stand for the content, however it is written. */
      hash: string;
      warnings: string[];
      notRun: PartNotRun[];
    }
  | {
      ok: false;
      reason: "InvalidJSON" | "InvalidPack" | "TooLarge";
      /** Names every problem, or the first ones when there are many. */
      message: string;
      problems: PackProblem[];
    };

/** Reads JSON and YAML. `whole` may have the files of skills at its end, as pack-text.ts describes it. */
export function parsePromptPack(whole: string): ParsedPromptPack {
  if (Buffer.byteLength(whole) > MAX_PACK_BYTES) {
    const message = `larger than ${MAX_PACK_BYTES / 1000} kB, about what a ConfigMap holds; split the pack`;
    return { ok: false, reason: "TooLarge", message, problems: [{ path: "", message }] };
  }
  const { text, files } = splitPackText(whole);
  const source = readPackSource(text);
  if (!source.ok) {
    const { line, column } = source.position;
    const message = `not valid JSON or YAML at line ${line}, column ${column}: ${source.message}`;
    const problem = { path: "", message: source.message, line, column };
    return { ok: false, reason: "InvalidJSON", message, problems: [problem] };
  }
  const validated = validate(promptPackDocumentSchema, source.value);
  if (!validated.ok) {
    const later = findLaterFields(source.value);
    return refuse(withLaterFields(validated.problems, later, source.value));
  }
  const { skills } = validated.value;
  const pack: PromptPackDocument =
    skills === undefined
      ? validated.value
      : { ...validated.value, skills: readSkills(skills, files) };
  const { problems, warnings } = checkPack(pack);
  if (problems.length > 0) return refuse(problems);
  const isOfFiles = pack.skills?.some((skill) => isReadSkill(skill) && skill.path !== undefined);
  return {
    ok: true,
    pack,
    hash: contentHash(isOfFiles === true ? [source.value, pack.skills] : source.value),
    warnings: [...warnings, ...validatorsThatOnlyWarn(pack)].map(describe),
    notRun: partsNotRun(pack),
  };

  function refuse(remarks: readonly PackRemark[]): ParsedPromptPack {
    const listed = remarks.slice(0, MAX_LISTED_PROBLEMS);
    const more = remarks.length - listed.length;
    const positions = source.ok ? source.positionsOf(listed.map(({ path }) => path)) : [];
    const message = listed.map(describe).join("; ") + (more > 0 ? `; and ${more} more` : "");
    return {
      ok: false,
      reason: "InvalidPack",
      message,
      problems: listed.map((remark, index) => ({
        path: formatPath(remark.path),
        message: remark.message,
        ...positions[index],
      })),
    };
  }
}

function describe({ path, message }: PackRemark): string {
  return path.length === 0 ? `the pack ${message}` : `${formatPath(path)}: ${message}`;
}

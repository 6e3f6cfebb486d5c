/** The folder of recordings: one file a conversation. */
import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  judgementKey,
  MAX_RECORDING_BYTES,
  readRecording,
  type Recording,
} from "../../evals/conversation/recording.ts";
import type { AskModel } from "../../evals/judges/judge.ts";
import type { Talk } from "../../evals/run/run-conversation.ts";
import { FileError, type PatientFiles } from "../../local/manifests/patient-files.ts";
import { CliError } from "../terminal/cli-error.ts";
import { makeFolder } from "../../local/state/make-folder.ts";

/** `hide` takes the secrets out of a text. */
export async function saveRecording(
  folder: string,
  recording: Recording,
  hide: (text: string) => string,
): Promise<void> {
  const text = `${hide(JSON.stringify(recording, undefined, 2))}\n`;
  const temporary = join(folder, `.new-${randomUUID()}`);
  try {
    await writeFile(temporary, text, { flag: "wx" });
    await rename(temporary, fileOf(folder, recording.id));
  } catch (error) {
    await rm(temporary, { force: true });
    throw unwritable(folder, error);
  }
}

export async function makeRecordingsFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
  } catch (error) {
    throw unwritable(folder, error);
  }
}

function unwritable(folder: string, error: unknown): CliError {
  const { code = "unknown error" } = error as NodeJS.ErrnoException;
  return new CliError(`--record: ${folder} cannot be written (${code}).`, { cause: error });
}

/** Rejects with a CliError when there is no such folder, so that not every conversation is told to have no recording. */
export async function checkRecordingsFolder(folder: string, files: PatientFiles): Promise<void> {
  let isFolder: boolean;
  try {
    isFolder = (await files.kindOf(folder)).kind === "folder";
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    isFolder = false;
  }
  if (!isFolder) {
    throw new CliError(`--replay: there is no folder ${folder}.`, {
      cure: "--record makes one, with an answer for each conversation.",
    });
  }
}

/** `undefined`: there is none. Rejects with a sentence for people when there is one that cannot be read. */
export async function loadRecording(
  folder: string,
  id: string,
  files: PatientFiles,
): Promise<Recording | undefined> {
  let text: string;
  try {
    text = await files.read(fileOf(folder, id), MAX_RECORDING_BYTES);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (!(error instanceof FileError) && code === undefined) throw error;
    throw new Error(`its recording cannot be read (${code})`, { cause: error });
  }
  const recording = readRecording(text);
  if (recording === undefined) throw new Error("its recording is damaged; record it again");
  return recording;
}

function fileOf(folder: string, id: string): string {
  return join(folder, `${id}.json`);
}

/** Answers as it was answered when it was recorded. */
export function replayedTalk(recording: Recording | undefined): Talk {
  let next = 0;
  return {
    turn(message) {
      const index = next;
      next += 1;
      const recorded = recording?.turns[index];
      if (recorded?.user === message) return Promise.resolve(recorded);
      return Promise.reject(new Error(problemOf(recording, index)));
    },
    async [Symbol.asyncDispose]() {},
  };
}

function problemOf(recording: Recording | undefined, index: number): string {
  if (recording === undefined) return "there is no recording of it; record it with --record";
  if (recording.turns[index] !== undefined) {
    return "it was recorded with another message; record it again";
  }
  return recording.failure ?? "it was recorded with fewer turns; record it again";
}

/** Gives the judgements of the recording. */
export function replayedJudge(recording: Recording | undefined): AskModel {
  return async (request) => {
    const key = judgementKey(request);
    const judgements = recording?.judgements ?? {};
    const judgement = Object.hasOwn(judgements, key) ? judgements[key] : undefined;
    if (judgement !== undefined) return judgement;
    throw new Error("the recording has no verdict of a model for it; record it again");
  };
}

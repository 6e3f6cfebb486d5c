/** Calls a tool by hand: a form and JSON of the same arguments, and what came of the call. */
import { useId, useMemo, useRef, useState, type FormEvent } from "react";
import { useMutation } from "@tanstack/react-query";
import type { ToolView } from "../../http-api/tool-views.ts";
import { agentsQuery } from "../api/queries.ts";
import { currentToken } from "../api/token.ts";
import { useList } from "../api/use-list.ts";
import { Button } from "../parts/button.tsx";
import { CopyButton } from "../parts/copy-button.tsx";
import { Failure } from "../parts/failure.tsx";
import { Note } from "../parts/note.tsx";
import { callTool, curlCommand, type ToolCall } from "./call-tool.ts";
import { CallAnswer } from "./call-answer.tsx";
import { SchemaForm } from "./form/schema-form.tsx";
import { formFields, isRecord } from "./form/form-fields.ts";
import { formArguments, formValues, type FormValues } from "./form/form-values.ts";
import styles from "./tools.module.css";

export function TryOut({ tool }: { tool: ToolView }) {
  const { items: agents } = useList(agentsQuery);
  const callers = tool.agents.filter(
    (agent) =>
      agents?.some(
        ({ namespace, name, can }) => `${namespace}/${name}` === agent && can.callTool,
      ) ?? true,
  );
  if (tool.agents.length === 0)
    return (
      <Note>
        <p>No agent uses this tool, and a tool is called by an agent that does.</p>
      </Note>
    );
  if (callers.length === 0)
    return (
      <Note tone="warn">
        <p>You may not call the tools of the agents that use it.</p>
      </Note>
    );
  return <TryOutForm tool={tool} callers={callers} />;
}

function TryOutForm({ tool, callers }: { tool: ToolView; callers: readonly string[] }) {
  const id = useId();
  const fields = useMemo(() => formFields(tool.inputSchema), [tool.inputSchema]);
  const [isForm, setIsForm] = useState(fields !== undefined);
  const [values, setValues] = useState<FormValues>({});
  const [text, setText] = useState("{}");
  const [note, setNote] = useState<string>();
  const [agent, setAgent] = useState(callers[0] ?? "");
  const [typedName, setTypedName] = useState("");
  const [showProblems, setShowProblems] = useState(false);
  const waiting = useRef<AbortController>(undefined);
  const call = useMutation({
    mutationFn: (wanted: ToolCall) => {
      waiting.current = new AbortController();
      return callTool(wanted, waiting.current.signal);
    },
  });

  const made = isForm && fields !== undefined ? formArguments(fields, values) : readArguments(text);
  const isConfirmed = tool.destructive !== true || typedName === tool.name;
  const wanted: ToolCall = { agent, tool: tool.name, arguments: made.arguments };

  const switchSide = (): void => {
    setNote(undefined);
    if (isForm) {
      setText(JSON.stringify(made.arguments, null, 2));
      setIsForm(false);
      return;
    }
    const shown = fields === undefined ? undefined : formValues(fields, made.arguments);
    if (made.problems.length > 0)
      setNote("This is no JSON object, so that the form cannot show it.");
    else if (shown === undefined) setNote("The form cannot show all of these arguments.");
    else {
      setValues(shown);
      setIsForm(true);
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setShowProblems(true);
    if (made.problems.length === 0 && isConfirmed && !call.isPending) call.mutate(wanted);
  };
  return (
    <form className={styles.try} onSubmit={submit} aria-label={`Call ${tool.name}`}>
      {callers.length < 2 ? undefined : (
        <div className={styles.field}>
          <label htmlFor={`${id}-agent`}>As the agent</label>
          <select
            id={`${id}-agent`}
            value={agent}
            onChange={(event) => setAgent(event.target.value)}
          >
            {callers.map((caller) => (
              <option key={caller}>{caller}</option>
            ))}
          </select>
        </div>
      )}
      {isForm && fields !== undefined ? (
        fields.length === 0 ? (
          <p className={styles.facts}>It takes no arguments.</p>
        ) : (
          <SchemaForm
            fields={fields}
            values={values}
            onChange={setValues}
            problems={showProblems ? made.problems : []}
          />
        )
      ) : (
        <div className={styles.field}>
          <label htmlFor={`${id}-json`}>Arguments as JSON</label>
          <textarea
            id={`${id}-json`}
            className={styles.json}
            rows={8}
            spellCheck={false}
            value={text}
            aria-invalid={showProblems && made.problems.length > 0}
            onChange={(event) => setText(event.target.value)}
          />
          {showProblems && made.problems.length > 0 ? (
            <p role="alert" className={styles.problem}>
              {made.problems[0]?.message}
            </p>
          ) : undefined}
        </div>
      )}
      {note === undefined ? undefined : <p role="alert">{note}</p>}
      {tool.destructive === true ? (
        <div className={styles.field}>
          <label htmlFor={`${id}-name`}>
            This tool may change things. Type its name, <code>{tool.name}</code>, to call it.
          </label>
          <input
            id={`${id}-name`}
            autoComplete="off"
            spellCheck={false}
            value={typedName}
            onChange={(event) => setTypedName(event.target.value)}
          />
        </div>
      ) : undefined}
      <div className={styles.actions}>
        {call.isPending ? (
          <Button onClick={() => waiting.current?.abort()}>Stop waiting</Button>
        ) : (
          <Button type="submit" look="primary" disabled={!isConfirmed}>
            Call {tool.name}
          </Button>
        )}
        {fields === undefined ? undefined : (
          <Button onClick={switchSide}>{isForm ? "Show as JSON" : "Show as form"}</Button>
        )}
        <CopyButton
          isNamed
          name="Copy as curl"
          text={curlCommand(wanted, location.origin, currentToken() !== undefined)}
        />
      </div>
      <div role="status">
        {call.isPending ? "Calling …" : undefined}
        {call.data === undefined || call.isPending ? undefined : <CallAnswer answer={call.data} />}
      </div>
      {call.error === null || waiting.current?.signal.aborted === true ? undefined : (
        <Failure error={call.error} />
      )}
    </form>
  );
}

function readArguments(text: string): ReturnType<typeof formArguments> {
  try {
    const read: unknown = JSON.parse(text);
    if (isRecord(read)) return { arguments: read, problems: [] };
  } catch {
    // It is said below.
  }
  return { arguments: {}, problems: [{ key: "", message: "This is no JSON object." }] };
}

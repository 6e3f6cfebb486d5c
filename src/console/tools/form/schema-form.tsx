/** The fields of a tool's arguments. What is emptied by its button is as if nobody had touched it. */
import { useId } from "react";
import { X } from "lucide-react";
import { IconButton } from "../../parts/icon-button.tsx";
import type { Field } from "./form-fields.ts";
import { keyOf, type FormProblem, type FormValues } from "./form-values.ts";
import styles from "./schema-form.module.css";

interface FormProps {
  fields: readonly Field[];
  values: FormValues;
  onChange: (values: FormValues) => void;
  problems: readonly FormProblem[];
}

export function SchemaForm(props: FormProps) {
  return (
    <div className={styles.form}>
      {props.fields.map((field) => (
        <FormField key={field.name} {...props} field={field} />
      ))}
    </div>
  );
}

function FormField({ field, values, onChange, problems }: FormProps & { field: Field }) {
  const id = useId();
  if (field.type === "group")
    return (
      <fieldset className={styles.group}>
        <legend>
          {field.name}
          <Needed field={field} />
        </legend>
        <Description id={id} field={field} />
        <SchemaForm fields={field.fields} values={values} onChange={onChange} problems={problems} />
      </fieldset>
    );
  const key = keyOf(field);
  const value = values[key];
  const problem = problems.find((one) => one.key === key);
  const change = (text: string | undefined): void => {
    const { [key]: _before, ...others } = values;
    onChange(text === undefined ? others : { ...others, [key]: text });
  };
  return (
    <div className={styles.field}>
      <label htmlFor={id}>
        {field.name}
        <Needed field={field} />
      </label>
      <Description id={`${id}-description`} field={field} />
      <div className={styles.input}>
        <Input
          field={field}
          value={value}
          onChange={change}
          attributes={{
            id,
            "aria-required": field.isRequired,
            "aria-invalid": problem !== undefined,
            "aria-describedby": `${id}-description ${id}-problem`,
          }}
        />
        {value === undefined ? undefined : (
          <IconButton name={`Leave ${field.name} out`} onClick={() => change(undefined)}>
            <X aria-hidden size={14} />
          </IconButton>
        )}
      </div>
      {problem === undefined ? undefined : (
        <p id={`${id}-problem`} className={styles.problem}>
          {problem.message}
        </p>
      )}
    </div>
  );
}

interface InputAttributes {
  id: string;
  "aria-required": boolean;
  "aria-invalid": boolean;
  "aria-describedby": string;
}

function Input({
  field,
  value,
  onChange,
  attributes,
}: {
  field: Exclude<Field, { type: "group" }>;
  value: string | undefined;
  onChange: (text: string | undefined) => void;
  attributes: InputAttributes;
}) {
  switch (field.type) {
    case "boolean":
    case "choice": {
      const options =
        field.type === "boolean"
          ? ["true", "false"]
          : field.options.map((option) => JSON.stringify(option));
      return (
        <select
          {...attributes}
          value={value ?? ""}
          onChange={(event) => onChange(event.target.value || undefined)}
        >
          <option value="">left out</option>
          {options.map((option) => (
            <option key={option} value={option}>
              {option.replace(/^"(.*)"$/, "$1")}
            </option>
          ))}
        </select>
      );
    }
    case "json":
      return (
        <textarea
          {...attributes}
          rows={3}
          spellCheck={false}
          placeholder={hintOf(field.schema)}
          value={value ?? ""}
          onChange={(event) => onChange(event.target.value || undefined)}
        />
      );
    case "number":
      return (
        <input
          {...attributes}
          type="text"
          inputMode={field.isInteger ? "numeric" : "decimal"}
          value={value ?? ""}
          onChange={(event) => onChange(event.target.value || undefined)}
        />
      );
    case "text":
      return field.isLong ? (
        <textarea
          {...attributes}
          rows={3}
          value={value ?? ""}
          onChange={(event) => onChange(event.target.value)}
        />
      ) : (
        <input
          {...attributes}
          type="text"
          value={value ?? ""}
          onChange={(event) => onChange(event.target.value)}
        />
      );
  }
}

function Needed({ field }: { field: Field }) {
  return field.isRequired ? <span className={styles.needed}> required</span> : undefined;
}

function Description({ id, field }: { id: string; field: Field }) {
  if (field.description === undefined) return undefined;
  return (
    <p id={id} className={styles.description}>
      {field.description}
    </p>
  );
}

function hintOf({ type }: Readonly<Record<string, unknown>>): string {
  return type === "array" ? "[ … ] as JSON" : type === "object" ? "{ … } as JSON" : "JSON";
}

import { useState, type FormEvent } from "react";
import { useLive } from "../api/live-state.ts";
import { keepToken } from "../api/token.ts";
import { Button } from "../parts/button.tsx";
import { Note } from "../parts/note.tsx";
import styles from "./sign-in.module.css";

/** Asks for a token where the API wants one. What the page shows stays where it is, and goes on with the new one. */
export function SignIn() {
  const live = useLive();
  const [token, setToken] = useState("");
  if (live.status !== "signed-out") return undefined;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (token.trim() === "") return;
    keepToken(token);
    setToken("");
  };
  return (
    <Note tone="warn">
      <form className={styles.form} onSubmit={submit}>
        <label htmlFor="token">You are signed out. Paste a token to go on.</label>
        <p className={styles.why}>{live.message}</p>
        {live.cure === undefined ? undefined : <p className={styles.why}>{live.cure}</p>}
        <div className={styles.line}>
          <input
            id="token"
            type="password"
            autoComplete="off"
            spellCheck={false}
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
          <Button type="submit" look="primary">
            Sign in
          </Button>
        </div>
      </form>
    </Note>
  );
}

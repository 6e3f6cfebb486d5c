/** Why a message or an answer was not taken, and what can be done about it. */
import { Button } from "../parts/button.tsx";
import { Note } from "../parts/note.tsx";
import type { ChatSession, Refusal } from "./chat-session.ts";
import { Countdown } from "./countdown.tsx";

export function RefusalNotice({
  refusal,
  chat,
}: {
  refusal: Refusal | undefined;
  chat: ChatSession;
}) {
  if (refusal === undefined) return null;
  const { code, message, retryAt, content } = refusal;
  const sendAgain =
    content === undefined ? undefined : (
      <Countdown until={retryAt}>
        {(seconds) => (
          <Button disabled={seconds > 0} onClick={() => chat.send(content)}>
            {seconds > 0 ? `Send again in ${seconds} s` : "Send again"}
          </Button>
        )}
      </Countdown>
    );
  return (
    <Note tone={code === "TURN_IN_PROGRESS" ? "warn" : "bad"}>
      <p role="alert">
        <code>{code}</code> {message}
      </p>
      <p>
        {code === "TURN_IN_PROGRESS" ? (
          <>
            <Button onClick={() => chat.followRunning()}>Follow the answer</Button>{" "}
            <Button look="danger" onClick={() => chat.cancel()}>
              Stop it
            </Button>{" "}
          </>
        ) : undefined}
        {sendAgain} <Button onClick={() => chat.dismissRefusal()}>Dismiss</Button>
      </p>
    </Note>
  );
}

export function ChatPage() {
  return <h2>Chat</h2>;
}

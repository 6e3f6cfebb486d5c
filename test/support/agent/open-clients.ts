import { ChatClient } from "./chat-client.ts";

/** Clients that are connected, to see whether a change costs one of them its connection. */
export async function openClients(url: string, count: number): Promise<ChatClient[]> {
  return await Promise.all(Array.from({ length: count }, () => ChatClient.connect(url)));
}

export function countOpen(clients: readonly ChatClient[]): number {
  return clients.filter(({ socket }) => socket.readyState === socket.OPEN).length;
}

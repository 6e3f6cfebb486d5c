/** The milliseconds for which this thread has been at work: unlike the time of day, they are no more on a busy machine. */
export function processorTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/**
 * The launcher under an old Node starts the program as its child and holds the other end of a pipe. When the launcher
 * is killed the pipe closes, and the program dies as it did: a kill -9 must not leave a runner behind.
 */

export const holdLifeline = async (fd: number): Promise<void> => {
  const { Socket } = await import('node:net');
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.on('error', () => undefined);
  socket.on('close', () => process.kill(process.pid, 'SIGKILL'));
  socket.resume();
  socket.unref();
};

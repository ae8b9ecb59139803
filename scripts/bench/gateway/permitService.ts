/** A permit service as trivial as can be, for nginx to ask: whoever has a token may. Prints its port. */
import { createServer } from "node:http";

const server = createServer((request, response) => {
  response.writeHead(request.headers.authorization?.startsWith("Bearer ") ? 204 : 401).end();
});
// nginx keeps its connections for a minute.
server.keepAliveTimeout = 75_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.(typeof address === "object" ? address?.port : null);
});
process.once("disconnect", () => process.exit());

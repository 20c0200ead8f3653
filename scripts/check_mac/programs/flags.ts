// Says of its stdin and stdout whether O_NONBLOCK is set.
import { isNonblocking } from "../descriptors.ts";

const flag = (descriptor: number) => isNonblocking(descriptor) ? "O_NONBLOCK" : "blocking";
console.error(`stdin ${flag(0)}, stdout ${flag(1)}`);

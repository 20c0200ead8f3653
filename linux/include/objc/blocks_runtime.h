/* GNUstep's headers ask for this name when the compiler has blocks; the blocks runtime itself is LLVM's. */
#include <Block.h>

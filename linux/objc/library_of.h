#ifndef LIBRARY_OF_H
#define LIBRARY_OF_H

/* The library that an address is in; NULL when it is in none. */
const void *library_of(const void *address);

#endif

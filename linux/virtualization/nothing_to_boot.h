/* Adds to an empty store of OVMF's or of arm64's firmware a last resort: when there is nothing to boot the machine is powered
   off. Returns 0, or errno. A store of another form is left as it is. */
int add_nothing_to_boot(int store);

/* Ctrl-C and kill: noted, so that the work stops cleanly, then raised again for the shell to see. */
#ifndef SG_CLI_SIGNALS_H
#define SG_CLI_SIGNALS_H

/* From here on SIGINT, SIGTERM and SIGHUP are only noted; a second one of a kind acts as ever. */
void signals_install(void);
int signals_caught(void); /* the signal's number, or 0 */
/* Ends the process by the signal that was caught. Returns only when there was none, or it is blocked. */
void signals_reraise(void);

#endif

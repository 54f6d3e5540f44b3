/* The progress bar. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "signals.h"

#define FIRST_SECONDS 0.3 /* what is over sooner shows no bar */
#define REDRAW_SECONDS (1.0 / 6)

static double seconds_between(const struct timespec *from, const struct timespec *to)
{
    return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_nsec - from->tv_nsec) * 1e-9;
}

void progress_init(progress *p, bool utf8, bool quiet)
{
    *p = (progress){.terminal = !quiet && isatty(STDERR_FILENO), .utf8 = utf8};
}

void progress_clear(progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}

static int columns_of_terminal(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* "12/30 layers", or bytes in the unit that fits total */
static void format_amount(char *out, size_t size, uint64_t done, uint64_t total, const char *unit)
{
    if (strcmp(unit, "bytes")) {
        int digits = snprintf(NULL, 0, "%llu", (unsigned long long)total); /* so that nothing behind it moves */
        snprintf(out, size, "%*llu/%llu %.12s", digits, (unsigned long long)done, (unsigned long long)total, unit);
        return;
    }
    const char *name = total >= 1000000000 ? "GB" : "MB";
    double scale = total >= 1000000000 ? 1e-9 : 1e-6;
    snprintf(out, size, "%.1f/%.1f %s", (double)done * scale, (double)total * scale, name);
}

/* "1.4 layers/s, 12 s left" */
static void format_rate(char *out, size_t size, uint64_t done, uint64_t total, double seconds, const char *unit)
{
    *out = 0;
    if (!done || seconds < 0.5)
        return;
    bool bytes = !strcmp(unit, "bytes");
    double rate = (double)done / seconds, left = (double)(total - done) / rate;
    char eta[24];
    if (left < 100)
        snprintf(eta, sizeof eta, "%.0f s", left);
    else if (left < 3600)
        snprintf(eta, sizeof eta, "%um%02us", (unsigned)left / 60, (unsigned)left % 60);
    else
        snprintf(eta, sizeof eta, "%.0fh%02um", left / 3600 - 0.5, (unsigned)(left / 60) % 60);
    snprintf(out, size, "%.*f %.12s/s, %s left", rate * (bytes ? 1e-6 : 1) < 10 ? 1 : 0, rate * (bytes ? 1e-6 : 1),
             bytes ? "MB" : unit, eta);
}

static void draw(progress *p, uint64_t done, uint64_t total, const char *unit, double seconds)
{
    char amount[64], rate[80], line[512];
    format_amount(amount, sizeof amount, done, total, unit);
    format_rate(rate, sizeof rate, done, total, seconds, unit);

    /* stage, bar, amount, rate: the bar gets what is left, and the line never wraps */
    int columns = columns_of_terminal() - 1, text = (int)(strlen(p->stage) + strlen(amount) + 30) + 6;
    int width = columns - text < 10 ? 0 : columns - text > 40 ? 40 : columns - text;
    int full = (int)((double)done / (double)total * width);
    int n = snprintf(line, sizeof line, "%s ", p->stage);
    for (int i = 0; i < width; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, "%s", i < full ? p->utf8 ? "█" : "#" : p->utf8 ? "░" : ".");
    snprintf(line + n, sizeof line - (size_t)n, "%s%s  %s", width ? " " : "", amount, rate);
    if (!width)
        line[columns < (int)sizeof line - 1 ? columns : (int)sizeof line - 1] = 0;
    fprintf(stderr, "\r%s\033[K", line);
    fflush(stderr);
    p->shown = true;
}

static int report(const char *stage, uint64_t done, uint64_t total, const char *unit, void *user)
{
    progress *p = user;
    if (signals_caught())
        return 1;
    if (!p->terminal || !total)
        return 0;
    done = done < total ? done : total;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    bool again = done < p->done; /* a stage of the same name starts over */
    p->done = done;
    if (again || strcmp(p->stage, stage)) {
        snprintf(p->stage, sizeof p->stage, "%s", stage);
        p->start = p->drawn = now;
        return 0;
    }
    double since = seconds_between(&p->drawn, &now);
    if (since < (p->shown ? REDRAW_SECONDS : FIRST_SECONDS))
        return 0;
    p->drawn = now;
    draw(p, done, total, unit, seconds_between(&p->start, &now));
    return 0;
}

sg_progress progress_callback(progress *p)
{
    return (sg_progress){.report = report, .user = p};
}

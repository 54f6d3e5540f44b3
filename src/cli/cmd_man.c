/* shortgpt man and shortgpt completion: texts made of the tables. */
#include "command.h"
#include "commands.h"
#include "values.h"

static int at_most_one(const options *o, const char *command, sg_error *err)
{
    if (o->n_models > 1)
        return usage_error(err, "%s takes one word, but there is a second: %s", command, o->models[1]);
    return SG_OK;
}

int cmd_completion(const options *o, sg_error *err)
{
    const char *const *shells = commands_find("completion")->operands;
    int shell, rc = at_most_one(o, "completion", err);
    if (rc)
        return rc;
    if (!o->n_models)
        return usage_error(err, "completion for which shell? bash, zsh or fish");
    if (!parse_choice(o->models[0], shells, &shell))
        return usage_error(err, "completion %s: expected bash, zsh or fish", o->models[0]);
    completion_script(stdout, shells[shell]);
    return sink_print("", err);
}

int cmd_man(const options *o, sg_error *err)
{
    const command_row *c = o->n_models ? commands_find(o->models[0]) : NULL;
    int rc = at_most_one(o, "man", err);
    if (rc)
        return rc;
    if (o->n_models && !c)
        return commands_unknown(o->models[0], err);
    if (o->quiet && c)
        return usage_error(err, "man --quiet lists all pages: it takes no COMMAND");
    if (o->quiet) {
        puts("shortgpt");
        for (size_t i = 0; (c = commands_row(i)); i++)
            printf("shortgpt-%s\n", c->name);
    } else {
        man_page(stdout, c);
    }
    return sink_print("", err);
}

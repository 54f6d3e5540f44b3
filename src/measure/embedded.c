/* The texts that are compiled in; cmake/embed.cmake makes the arrays from texts/. */
#include "shortgpt.h"

static const unsigned char score_text[] = {
#include "score.txt.inc"
};

static const unsigned char eval_text[] = {
#include "eval.txt.inc"
};

sg_text sg_text_embedded(sg_embedded which)
{
    bool score = which == SG_EMBEDDED_SCORE;
    return (sg_text){
        .source = "embedded",
        .data = (const char *)(score ? score_text : eval_text),
        .bytes = score ? sizeof score_text : sizeof eval_text,
    };
}

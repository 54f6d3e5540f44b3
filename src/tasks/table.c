/* The table of tasks. Prompts are those of lm-evaluation-harness 0.4.13 and, under SG_RULE_MEAN, of OpenCompass 0.5.4.
 */
#include "tasks/table.h"

#include <string.h>

#define NO_YES                                                                                                         \
    {                                                                                                                  \
        "no", "yes"                                                                                                    \
    }
#define FALSE_TRUE                                                                                                     \
    {                                                                                                                  \
        "false 0", "true 1"                                                                                            \
    }
#define LETTERS_4                                                                                                      \
    {                                                                                                                  \
        "A", "B", "C", "D"                                                                                             \
    }
#define INFERENCE                                                                                                      \
    .context = NULL,                                                                                                   \
    .continuation = "语句一：“{sentence1}”\n语句二：“{sentence2}”\n请问这两句话是什么关系？\n{option}",                \
    .options = {"矛盾", "蕴含", "无关"}, .answer = "label", .labels = {"contradiction", "entailment", "neutral"},      \
    .unlabelled = "-", .rule = SG_RULE_MEAN

const sg_task_row sg_task_rows[] = {
    {.name = "hellaswag",
     .read = sg_read_hellaswag,
     .context = "{query}",
     .continuation = " {option}",
     .answer = "label",
     .acc_norm = true},
    {.name = "piqa",
     .arrange = sg_arrange_piqa,
     .read = sg_read_piqa,
     .context = "Question: {goal}\nAnswer:",
     .continuation = " {option}",
     .answer = "label",
     .acc_norm = true},
    {.name = "arc_easy",
     .read = sg_read_arc,
     .context = "Question: {stem}\nAnswer:",
     .continuation = " {option}",
     .acc_norm = true},
    {.name = "arc_challenge",
     .read = sg_read_arc,
     .context = "Question: {stem}\nAnswer:",
     .continuation = " {option}",
     .acc_norm = true},
    {.name = "openbookqa", .read = sg_read_arc, .context = "{stem}", .continuation = " {option}", .acc_norm = true},
    {.name = "winogrande", /* only what follows the blank is scored, behind each option */
     .read = sg_read_winogrande,
     .context = "{before}{option}",
     .continuation = " {after}",
     .answer = "answer",
     .labels = {"1", "2"}},
    {.name = "wsc273", /* likewise; after begins with a blank, so that two stand there */
     .read = sg_read_wsc273,
     .context = "{before}{option}",
     .continuation = " {after}",
     .answer = "label"},
    {.name = "boolq",
     .read = sg_read_boolq,
     .context = "{text}\nQuestion: {question}?\nAnswer:",
     .continuation = " {option}",
     .options = NO_YES,
     .answer = "label",
     .labels = FALSE_TRUE},
    {.name = "wsc",
     .read = sg_read_wsc,
     .context = "Passage: {passage}\nQuestion: In the passage above, does the pronoun \"*{pronoun}*\" refer to "
                "\"*{noun}*\"?\nAnswer:",
     .continuation = " {option}",
     .options = NO_YES,
     .answer = "label",
     .labels = FALSE_TRUE},
    {.name = "commonsense_qa",
     .read = sg_read_arc,
     .context = "Question: {stem|strip}\nA. {A}\nB. {B}\nC. {C}\nD. {D}\nE. {E}\nAnswer:",
     .continuation = " {option}",
     .options = {"A", "B", "C", "D", "E"}},
    {.name = "race",
     .arrange = sg_arrange_race,
     .read = sg_read_race,
     .context = "{text}",
     .continuation = " {option}"},
    {.name = "lambada_openai",
     .read = sg_read_lambada,
     .context = "{before}",
     .continuation = " {option}",
     .rule = SG_RULE_WORD},
    {.name = "mmlu",
     .folder = true,
     .suffix = "_test.csv",
     .dev_suffix = "_dev.csv",
     .description = "The following are multiple choice questions (with answers) about {subject}.\n\n",
     .arrange = sg_arrange_csv,
     .read = sg_read_csv,
     .context = "{stem|strip}\nA. {A}\nB. {B}\nC. {C}\nD. {D}\nAnswer:",
     .continuation = " {option}",
     .options = LETTERS_4},
    {.name = "cmmlu",
     .folder = true,
     .suffix = ".csv",
     .dev_suffix = ".csv",
     .description = "以下是关于{subject}的单项选择题，请直接给出正确答案的选项。\n\n",
     .arrange = sg_arrange_csv,
     .read = sg_read_csv,
     .context = "{stem|strip}\nA. {A}\nB. {B}\nC. {C}\nD. {D}\n答案：",
     .continuation = " {option}",
     .options = LETTERS_4,
     .acc_norm = true},
    {.name = "c3",
     .arrange = sg_arrange_c3,
     .read = sg_read_c3,
     .continuation = "文章：{text}\n问题：{question}\n答案：{option}",
     .rule = SG_RULE_MEAN},
    {.name = "chid", /* an option is the whole sentence with its idiom */
     .read = sg_read_chid,
     .continuation = "以下句子是否通顺？\n{option}\n这个句子是通顺的。",
     .answer = "answer",
     .rule = SG_RULE_MEAN},
    {.name = "cmnli", INFERENCE, .drop_unlabelled = true},
    {.name = "ocnli", INFERENCE},
    {.name = "cluewsc",
     .continuation = "{text}\n此处，代词“{target.span2_text}“被用于指代“{target.span1_text}“吗?\n{option}",
     .options = {"否", "是"},
     .answer = "label",
     .labels = FALSE_TRUE,
     .rule = SG_RULE_MEAN},
};
const size_t sg_n_task_rows = sizeof sg_task_rows / sizeof *sg_task_rows;

const sg_task_row sg_task_generic = {.read = sg_read_choices,
                                     .context = "{context}",
                                     .continuation = "{delimiter}{option}",
                                     .answer = "answer",
                                     .acc_norm = true};

const sg_task_row *sg_task_find(const char *name)
{
    for (size_t i = 0; i < sg_n_task_rows; i++)
        if (!strcmp(sg_task_rows[i].name, name))
            return &sg_task_rows[i];
    return NULL;
}

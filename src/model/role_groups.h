/* Groups of tensor roles that families share; see role_groups.c. */
#ifndef SG_MODEL_ROLE_GROUPS_H
#define SG_MODEL_ROLE_GROUPS_H

#include "model/family.h"

extern const sg_role_group sg_roles_model, sg_roles_model_layernorm, sg_roles_model_gpt2, sg_roles_model_gpt_neox;
extern const sg_role_group sg_roles_norms, sg_roles_norms_gemma, sg_roles_norms_behind, sg_roles_norms_layer,
    sg_roles_norms_stablelm, sg_roles_norms_gpt2;
extern const sg_role_group sg_roles_qkv_pairs, sg_roles_qkv, sg_roles_qkv_phi3, sg_roles_qkv_gpt2,
    sg_roles_qkv_gpt_neox;
extern const sg_role_group sg_roles_qk_norm_head, sg_roles_qk_norm_row, sg_roles_qk_norm_heads;
extern const sg_role_group sg_roles_ffn, sg_roles_ffn_phi3, sg_roles_ffn_gpt2, sg_roles_ffn_gpt_neox,
    sg_roles_ffn_starcoder2;
extern const sg_role_group sg_roles_experts_mixtral, sg_roles_experts, sg_roles_shared_expert;
extern const sg_role_group sg_roles_rope_factors, sg_roles_rope_long;

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* svm/: the SVM backend. Everything else is reached through svm_x86_ops. */
#ifndef KSVM_SVM_H
#define KSVM_SVM_H

struct dentry;
struct seq_file;

/* debugfs ksvm/features: a line per feature: on, or off with the reason. */
int svm_features_show(struct seq_file *seq, void *unused);

/* debugfs ksvm/contract/, where the contract checker is built in. */
#ifdef KSVM_CONTRACT
void svm_contract_debugfs(struct dentry *parent);
#else
static inline void svm_contract_debugfs(struct dentry *parent) {}
#endif

#endif

# SPDX-License-Identifier: GPL-2.0-only
# For sphinx-build Documentation build/doc
project = 'ksvm'

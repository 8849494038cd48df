"""Kernels of a few lines of our own C, and repositories of them: what the tests read.

``files``          a kernel as one text, in which ``-- path`` begins a file
``git``            commits, tags and repositories of kernels given by their files
``archives``       folders and tarballs of them
``minimal``        the smallest kernel that is one
``transition``     seven releases that ask for root, then for capabilities
``widgets``        six releases with two functions, whose checks move and change
``small_history``  eleven releases from 1.0 to 2.6, in place of the default history
``database``       a database of six releases, made of rows
``sources``        a database of two releases and the repository that has their source
"""

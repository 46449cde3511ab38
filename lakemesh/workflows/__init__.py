"""What the files in .github/workflows/ do beyond one line of shell: which stacks a change affects, running Pulumi over
stacks, Markdown for people, and GitHub's pages. Nothing in a deployment depends on it."""

"""The questions: three a lesson, with an answer to every option. One file a lesson."""

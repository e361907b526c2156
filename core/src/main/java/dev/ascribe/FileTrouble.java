package dev.ascribe;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Objects;

/** Why a file could not be read or written, in words: the JDK's exceptions say it by their class alone. */
public final class FileTrouble {
    private FileTrouble() {}

    /** What to put behind the file's name and a colon. */
    public static String of(IOException e) {
        return switch (e) {
            case AccessDeniedException denied -> "there is no permission";
            case NoSuchFileException missing -> "it does not exist";
            case FileAlreadyExistsException exists -> exists.getFile() + " is a file, not a folder";
            case NotDirectoryException file -> "it is not a folder";
            case FileSystemException other -> Objects.requireNonNullElse(other.getReason(), other.toString());
            default -> Objects.requireNonNullElse(e.getMessage(), e.toString());
        };
    }
}
